"""Arrays in, arrays out: the only room with numba, and with CuPy but for device.py. Each file is one idea.

A kernel is a plain function per molecule (twin.py says the rules), a loop over molecules for the CPU and one for a GPU.

    text to graph       smiles      scan, alphabet, settle: reading; rings, cages, rings_kept, figueras: RDKit's rings;
                                    benzenoid, aromaticity, kekule, electrons, unions: RDKit's aromaticity;
                                    stereo, centres, cip, labels, drawn: RDKit's stereo marks
    graph to bits       morgan      environments, environments_any, invariants, isotopes, folding; morgan_gpu
    graph to numbers    descriptors properties, looks, surroundings, roles: one pass over what atoms are bound to;
                                    elements, lipinski, tpsa, crippen, crippen_types, stereocentres; descriptors_gpu
    graph to matches    substructure query, search, crowding, ring_facts
    graph to vector     message     probe: vector to predictions
    scores to the best  topk
    for all of them     twin, adjacency, ragged
"""
