package rpc

import (
	"fmt"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

var (
	_ connect.Codec = jsonCodec{}
	_ connect.Codec = protoCodec{}
)

// strictCodecs read requests to the last field: what this server does not know
// is refused, since a caller who asks for it would believe that it was done.
func strictCodecs() connect.HandlerOption {
	return connect.WithHandlerOptions(
		connect.WithCodec(jsonCodec{"json"}),
		connect.WithCodec(jsonCodec{"json; charset=utf-8"}),
		connect.WithCodec(protoCodec{}),
	)
}

type jsonCodec struct{ name string }

func (c jsonCodec) Name() string { return c.name }

func (c jsonCodec) Marshal(value any) ([]byte, error) { return c.MarshalAppend(nil, value) }

func (jsonCodec) MarshalAppend(to []byte, value any) ([]byte, error) {
	m, err := asMessage(value)
	if err != nil {
		return nil, err
	}
	return protojson.MarshalOptions{}.MarshalAppend(to, m)
}

func (jsonCodec) Unmarshal(body []byte, value any) error {
	m, err := asMessage(value)
	if err != nil {
		return err
	}
	if len(body) > maxRequestBytes {
		return leaveFault(m, errTooLarge)
	}
	if len(body) == 0 {
		return leaveFault(m, fault.Because(fault.Invalid, reasonUnreadable, "the body is empty; send a JSON object, at least {}"))
	}
	if err := protojson.Unmarshal(body, m); err != nil {
		return leaveFault(m, fromJSON(body, m.ProtoReflect().Descriptor(), err))
	}
	return leaveFault(m, strange(m.ProtoReflect(), ""))
}

type protoCodec struct{}

func (protoCodec) Name() string { return "proto" }

func (c protoCodec) Marshal(value any) ([]byte, error) { return c.MarshalAppend(nil, value) }

func (protoCodec) MarshalAppend(to []byte, value any) ([]byte, error) {
	m, err := asMessage(value)
	if err != nil {
		return nil, err
	}
	return proto.MarshalOptions{}.MarshalAppend(to, m)
}

func (protoCodec) Unmarshal(body []byte, value any) error {
	m, err := asMessage(value)
	if err != nil {
		return err
	}
	if len(body) > maxRequestBytes {
		return leaveFault(m, errTooLarge)
	}
	if err := proto.Unmarshal(body, m); err != nil {
		return leaveFault(m, fault.Because(fault.Invalid, reasonUnreadable,
			"the body is not a %s in protobuf's binary form", m.ProtoReflect().Descriptor().FullName()))
	}
	return leaveFault(m, strange(m.ProtoReflect(), ""))
}

func asMessage(value any) (proto.Message, error) {
	m, ok := value.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("codec: %T is no message", value)
	}
	return m, nil
}
