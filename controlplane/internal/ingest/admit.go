package ingest

import "context"

const (
	// maxSliceBytes of Kafka records are worked on as one slice, some ten thousand records of
	// usage. Decoded and as columns they take a hundred times as much: 40,000 took 437 MiB.
	maxSliceBytes = 4 << 20
	// maxBytesAtOnce of all partitions of a process: what lies in Kafka after an outage must
	// not be more than its memory.
	maxBytesAtOnce = 2 * maxSliceBytes
)

// admit waits until there is room for a slice, and keeps the partition meanwhile.
func (p *partition) admit(ctx context.Context, records []record) (leave func(), err error) {
	size := int64(0)
	for _, r := range records {
		size += int64(len(r.value))
	}
	size = min(size, maxBytesAtOnce)
	for {
		wait, cancel := context.WithTimeout(ctx, p.config.OwnFor/3)
		err := p.atWork.Acquire(wait, size)
		cancel()
		if err == nil {
			return func() { p.atWork.Release(size) }, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err := p.store.renew(ctx, p.owner, p.topicID, p.number); err != nil {
			return nil, err
		}
	}
}
