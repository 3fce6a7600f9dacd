package chaos

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	metadataKey = 3
	maxFrame    = 128 << 20 // bytes
)

// frames remembers which answers on a connection to a broker are about where brokers are:
// by correlation id, the version that was asked in.
type frames struct {
	mu       sync.Mutex
	metadata map[int32]int16
}

// newKafkaLink is a link to a broker that stays in the way: clients connect to the address
// that a broker tells, so the link puts its own there.
func newKafkaLink(ctx context.Context, name, target string) (*link, error) {
	l, err := prepareLink(ctx, name, target)
	if err != nil {
		return nil, err
	}
	l.requests = eachFrame(func(f *frames, frame []byte) ([]byte, error) { f.note(frame); return frame, nil })
	l.answers = eachFrame(func(f *frames, frame []byte) ([]byte, error) { return f.rename(frame, int32(l.port)) })
	l.serving.Go(l.accept)
	return l, nil
}

// eachFrame copies frames of Kafka's protocol: a length of 4 bytes, then as many.
func eachFrame(change func(*frames, []byte) ([]byte, error)) func(io.Reader, io.Writer, *frames) error {
	return func(from io.Reader, to io.Writer, seen *frames) error {
		for {
			var head [4]byte
			if _, err := io.ReadFull(from, head[:]); err != nil {
				return err
			}
			size := binary.BigEndian.Uint32(head[:])
			if size > maxFrame {
				return fmt.Errorf("a frame of %d bytes", size)
			}
			frame := make([]byte, size)
			if _, err := io.ReadFull(from, frame); err != nil {
				return err
			}
			frame, err := change(seen, frame)
			if err != nil {
				return err
			}
			if _, err := to.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...)); err != nil {
				return err
			}
		}
	}
}

// note remembers requests for metadata: key and version of 2 bytes, correlation id of 4.
func (f *frames) note(request []byte) {
	if len(request) < 8 || binary.BigEndian.Uint16(request) != metadataKey {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.metadata == nil {
		f.metadata = map[int32]int16{}
	}
	f.metadata[int32(binary.BigEndian.Uint32(request[4:]))] = int16(binary.BigEndian.Uint16(request[2:]))
}

// rename puts every broker at this port.
func (f *frames) rename(answer []byte, port int32) ([]byte, error) {
	if len(answer) < 4 {
		return answer, nil
	}
	correlation := int32(binary.BigEndian.Uint32(answer))
	f.mu.Lock()
	version, is := f.metadata[correlation]
	delete(f.metadata, correlation)
	f.mu.Unlock()
	if !is {
		return answer, nil
	}
	metadata := kmsg.NewPtrMetadataResponse()
	metadata.SetVersion(version)
	head := 4
	if metadata.IsFlexible() {
		head++ // no tagged fields
	}
	if err := metadata.ReadFrom(answer[head:]); err != nil {
		return nil, fmt.Errorf("metadata of version %d: %w", version, err)
	}
	for i := range metadata.Brokers {
		metadata.Brokers[i].Host, metadata.Brokers[i].Port = "127.0.0.1", port
	}
	return metadata.AppendTo(answer[:head:head]), nil
}
