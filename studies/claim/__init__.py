"""The claim of MPDRM under control: personalization with and without other visits."""
