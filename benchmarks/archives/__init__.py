"""Series classifiers on public archives beside published accuracies."""
