"""A spec drafted from a living PostgreSQL database: what is there, in the language of specs, with remarks."""
