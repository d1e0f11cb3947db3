"""Study of the claim of MPDRM: personalization with and without other visits."""
