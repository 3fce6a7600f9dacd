DROP TABLE ingest_accepted;
