// Package partition says in which partition of the usage topic an agent's batches are.
// Agents that send to Kafka and the relay compute it alike: an agent that goes from one way
// to the other stays in its partition, and so in order. It does no I/O.
package partition

import "hash/fnv"

// Of returns the partition, 0 to partitions-1, of an agent's id; partitions is at least 1.
// It is the same for as long as the topic has as many.
func Of(agentID string, partitions int) int {
	h := fnv.New64a()
	h.Write([]byte(agentID))
	return int(h.Sum64() % uint64(partitions))
}
