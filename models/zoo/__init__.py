"""Networks of others, rebuilt as trunks: each file says what is published, public code and ours."""
