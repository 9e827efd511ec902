"""One module per vendor: typed calls over tools.wire, each reply parsed at the edge by a narrow strict model."""
