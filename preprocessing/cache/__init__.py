"""The folder of results: entries, manifest, fingerprint."""
