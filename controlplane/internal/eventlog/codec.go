package eventlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	_ "github.com/weirhq/weir/proto/gen/weir/event/v1" // registers the kinds
)

const eventPackage protoreflect.FullName = "weir.event.v1"

// Encode returns a body's kind and its stored form. The same body gives the same bytes.
func Encode(body proto.Message) (kind string, payload []byte, err error) {
	name := body.ProtoReflect().Descriptor().FullName()
	if name.Parent() != eventPackage {
		return "", nil, fmt.Errorf("encode event: %s is not of %s", name, eventPackage)
	}
	loose, err := protojson.Marshal(body)
	if err != nil {
		return "", nil, fmt.Errorf("encode event %s: %w", name, err)
	}
	var compact bytes.Buffer // protojson varies its spaces from build to build
	if err := json.Compact(&compact, loose); err != nil {
		return "", nil, fmt.Errorf("encode event %s: %w", name, err)
	}
	return string(name.Name()), compact.Bytes(), nil
}

// Decode reads a stored form; ErrUnknownKind for a kind that this build does not have.
func Decode(kind string, payload []byte) (proto.Message, error) {
	found, err := protoregistry.GlobalTypes.FindMessageByName(eventPackage.Append(protoreflect.Name(kind)))
	if errors.Is(err, protoregistry.NotFound) {
		return nil, fmt.Errorf("decode event %q: %w", kind, ErrUnknownKind)
	}
	if err != nil {
		return nil, fmt.Errorf("decode event %q: %w", kind, err)
	}
	body := found.New().Interface()
	if err := protojson.Unmarshal(payload, body); err != nil {
		return nil, fmt.Errorf("decode event %s: %w", kind, err)
	}
	return body, nil
}

// Known tells whether this build has the kind.
func Known(kind string) bool {
	_, err := protoregistry.GlobalTypes.FindMessageByName(eventPackage.Append(protoreflect.Name(kind)))
	return err == nil
}
