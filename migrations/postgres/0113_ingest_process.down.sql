DROP TABLE ingest_process;
