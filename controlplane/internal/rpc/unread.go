package rpc

import (
	"encoding/json"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fault"
)

// Reasons of requests that could not be read.
const (
	reasonUnreadable   = "request_unreadable"
	reasonUnknownField = "unknown_field"
	reasonTooLarge     = "request_too_large"
)

// errTooLarge is Invalid, not Exhausted: 429 would make clients send it again.
var errTooLarge = fault.Because(fault.Invalid, reasonTooLarge,
	"the request is larger than %d bytes (after decompression), the most that is read; send less at once", maxRequestBytes)

// faultField is a number that no schema may use (protobuf keeps it to itself).
const faultField protowire.Number = 19999

// leaveFault empties a message and leaves the reason for the guard, in the place
// of unknown fields. An error of a codec would go straight to the caller: not in
// the shape of our errors, without details and in no log. No caller can forge
// one, since codecs let no unknown field of a caller through.
func leaveFault(m proto.Message, f *fault.Error) error {
	if f == nil {
		return nil
	}
	text, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("leave a fault: %w", err)
	}
	proto.Reset(m)
	m.ProtoReflect().SetUnknown(protowire.AppendBytes(protowire.AppendTag(nil, faultField, protowire.BytesType), text))
	return nil
}

// leftFault is the reason why a codec could not read the message, or nil.
func leftFault(m proto.Message) error {
	left := m.ProtoReflect().GetUnknown()
	if len(left) == 0 {
		return nil
	}
	number, _, tag := protowire.ConsumeTag(left)
	if tag < 0 || number != faultField {
		return fmt.Errorf("%s has unknown fields: no strict codec read it", m.ProtoReflect().Descriptor().FullName())
	}
	text, _ := protowire.ConsumeBytes(left[tag:])
	f := new(fault.Error)
	if err := json.Unmarshal(text, f); err != nil {
		return fmt.Errorf("take the fault of a codec: %w", err)
	}
	return f
}
