"""Networks, heads and losses: plain `nn.Module`s that meet the data in the batch only.

Map:
    types       tensor legend, batch and `Output`
    inputs      what a branch sees (appearance, frame differences, series levels, series deltas)
    trunks/     pixels, timm frames, torchvision video, series -> tokens (B,T',D)
    mmp         multi-scale motion patterns, the gate inserted in every trunk
    mdfn, mpfn  depression branch, personality branch
    context     whose personality RARM is told about: the clip's own, or the person's other recordings
    rarm        relation attention: gate, projection, cross, none
    mpdrm       the whole network; video_network is the baseline beside it
    heads       score, binary, ordinal bands
    losses/     supervised contrast, orthogonality, gradient reversal; objective adds them up
    task        the one Lightning file; optim groups its parameters
"""
