// Package timeouts holds the bounds of one request to an upstream, which providers
// and routes have in common.
package timeouts

import (
	"time"

	"github.com/weirhq/weir/controlplane/internal/fault"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

const longest = time.Hour

// Timeouts are in milliseconds; 0: not said.
type Timeouts struct {
	// FirstByteMS until the upstream's status line.
	FirstByteMS int64 `json:"first_byte_ms,omitempty"`
	// IdleMS between two pieces of an answer's body.
	IdleMS int64 `json:"idle_ms,omitempty"`
	// TotalMS until the answer's last byte.
	TotalMS int64 `json:"total_ms,omitempty"`
	// ConnectMS until there is a connection, TLS included.
	ConnectMS int64 `json:"connect_ms,omitempty"`
	// FirstTokenMS until the first content of a stream, or the last byte of what is none.
	FirstTokenMS int64 `json:"first_token_ms,omitempty"`
}

// Check returns an Invalid fault about the field timeouts.
func (t Timeouts) Check() error {
	bounds := []struct {
		field string
		ms    int64
	}{{"first_byte", t.FirstByteMS}, {"idle", t.IdleMS}, {"total", t.TotalMS}, {"connect", t.ConnectMS}, {"first_token", t.FirstTokenMS}}
	for _, b := range bounds {
		if b.ms < 0 || b.ms > longest.Milliseconds() {
			return fault.Field("timeouts."+b.field, "want 1 ms to %s", longest)
		}
		if t.TotalMS > 0 && b.ms > t.TotalMS {
			return fault.Field("timeouts."+b.field, "it is longer than timeouts.total")
		}
	}
	return nil
}

// ToEvent is nil where nothing is said.
func (t Timeouts) ToEvent() *eventv1.Timeouts {
	if t == (Timeouts{}) {
		return nil
	}
	return &eventv1.Timeouts{
		FirstByteMs: t.FirstByteMS, IdleMs: t.IdleMS, TotalMs: t.TotalMS, ConnectMs: t.ConnectMS, FirstTokenMs: t.FirstTokenMS,
	}
}

// FromEvent reads what an event says.
func FromEvent(t *eventv1.Timeouts) Timeouts {
	return Timeouts{
		FirstByteMS: t.GetFirstByteMs(), IdleMS: t.GetIdleMs(), TotalMS: t.GetTotalMs(),
		ConnectMS: t.GetConnectMs(), FirstTokenMS: t.GetFirstTokenMs(),
	}
}
