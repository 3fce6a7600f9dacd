-- Processes of ingest that live, so that each takes its share of the partitions.
CREATE TABLE ingest_process (
  process     uuid PRIMARY KEY,
  topic_id    uuid NOT NULL,
  alive_until timestamptz NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON ingest_process TO weir_system;
