DROP TABLE ingest_claim;
DROP TABLE ingest_boot;
DROP TABLE ingest_block;
DROP TABLE ingest_partition;
