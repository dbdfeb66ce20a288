"""target.yaml <-> frozen models; refuses what it does not know, and names the line."""

from drylab.config.fields import Range
from drylab.config.load import load_target, target_from, to_dict
from drylab.config.target import Target
from drylab.config.template import template

__all__ = ["Range", "Target", "load_target", "target_from", "template", "to_dict"]
