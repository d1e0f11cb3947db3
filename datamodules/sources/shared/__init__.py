"""What readers of several corpora share: files of a download, label tables, answers, draft manifests."""
