DROP TABLE ingest_gap;
