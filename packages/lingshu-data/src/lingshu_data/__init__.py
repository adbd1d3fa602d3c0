"""Raw medical datasets in; clean, deduplicated, decontaminated manifests and mixtures out."""
