def trainable_only(model, keywords=("head", "classifier")):
    """Leave only the parameters whose name holds one of the keywords trainable."""
    for name, p in model.named_parameters():
        p.requires_grad_(any(k in name for k in keywords))
    return [p for p in model.parameters() if p.requires_grad]
