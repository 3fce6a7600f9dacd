package gate_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/gate"
)

func TestGate(t *testing.T) {
	g := gate.New(3, 2)
	mine, other := uuid.New(), uuid.New()
	enter := func(organization uuid.UUID, want bool) func() {
		t.Helper()
		leave, ok := g.Enter(organization)
		if ok != want {
			t.Fatalf("entered: %t", ok)
		}
		return leave
	}
	first := enter(mine, true)
	enter(mine, true)
	enter(mine, false)
	last := enter(other, true)
	enter(other, false) // all are taken
	first()
	first() // said twice, left once
	enter(mine, true)
	enter(mine, false)
	enter(other, false)
	last()
	enter(other, true)
}
