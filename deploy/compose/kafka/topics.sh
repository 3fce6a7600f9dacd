#!/usr/bin/env bash
# Makes the topics that ingest asks for, where they are missing. On a cluster give them as many replicas as it allows.
set -euo pipefail
make_topic() {
  /opt/kafka/bin/kafka-topics.sh --bootstrap-server "$1" --create --if-not-exists --topic "$2" --partitions "$3" \
    --replication-factor 1 --config cleanup.policy=delete --config retention.ms=604800000
}
make_topic "$1" weir.usage.v1 12
make_topic "$1" weir.usage.v1.dead 1
