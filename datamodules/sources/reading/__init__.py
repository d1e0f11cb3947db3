"""What several sources share: finding files, label tables, answers, and building the manifest."""
