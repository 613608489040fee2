-- What a new data directory runs: the extension, in the database POSTGRES_DB.
CREATE EXTENSION aread;
