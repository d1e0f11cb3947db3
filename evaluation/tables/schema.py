"""Names of the heads whose predictions a table may hold."""

HEADS = ("score", "binary", "band")
