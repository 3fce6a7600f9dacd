package ingest

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// topicIDRequest asks for metadata in version 12, the first with both id and name:
// kafka-go stops at an older one and knows no topic ids. It travels over kafka-go's
// own connections, TLS and SASL included.
type topicIDRequest struct{ topic string }

type topicIDResponse struct{ id uuid.UUID }

const (
	metadataVersion = 12
	maxAnswerBytes  = 16 << 20
)

//nolint:revive // the name is kafka-go's
func (topicIDRequest) ApiKey() protocol.ApiKey { return protocol.Metadata }

//nolint:revive // the name is kafka-go's
func (topicIDResponse) ApiKey() protocol.ApiKey { return protocol.Metadata }

func (topicIDRequest) Required(map[protocol.ApiKey]int16) bool { return true }
func (r topicIDRequest) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	request := kmsg.NewPtrMetadataRequest()
	request.SetVersion(metadataVersion)
	wanted := kmsg.NewMetadataRequestTopic()
	wanted.Topic = &r.topic
	request.Topics = append(request.Topics, wanted)
	formatter := kmsg.NewRequestFormatter(kmsg.FormatterClientID("weir-ingest"))
	if _, err := rw.Write(formatter.AppendRequest(nil, request, 1)); err != nil {
		return nil, err
	}
	answer, err := readAnswer(rw)
	if err != nil {
		return nil, err
	}
	response := kmsg.NewPtrMetadataResponse()
	response.SetVersion(metadataVersion)
	if err := response.ReadFrom(answer); err != nil {
		return nil, err
	}
	for _, t := range response.Topics {
		if t.Topic != nil && *t.Topic == r.topic && t.ErrorCode == 0 {
			return topicIDResponse{uuid.UUID(t.TopicID)}, nil
		}
	}
	return nil, kafka.UnknownTopicOrPartition
}

// readAnswer returns the body after the size, the correlation id and the (empty)
// tagged fields of the header.
func readAnswer(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n < 5 || n > maxAnswerBytes {
		return nil, fmt.Errorf("metadata answer of %d bytes", n)
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, err
	}
	return body[5:], nil
}

func (b *broker) topicID(ctx context.Context) (uuid.UUID, error) {
	answer, err := b.transport.RoundTrip(ctx, b.client.Addr, topicIDRequest{b.topic})
	if err != nil {
		return uuid.Nil, fmt.Errorf("topic id: %w", err)
	}
	response, ok := answer.(topicIDResponse)
	if !ok || response.id == uuid.Nil {
		return uuid.Nil, settingError{"the broker gives topics no id: Kafka 3.1 or newer is needed"}
	}
	return response.id, nil
}
