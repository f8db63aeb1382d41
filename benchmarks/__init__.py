"""How fast Vitrina is beside the fastest way there is, on the same servers in the same minutes (`make bench`)."""
