package control_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
)

// TestRevokedKeysNeverComeBack plays what can happen to an agent and its control
// plane in random order.
func TestRevokedKeysNeverComeBack(t *testing.T) {
	const runs, steps = 10, 25
	for seed := range uint64(runs) {
		random := rand.New(rand.NewPCG(seed, 1))
		f, o := newFleetOfOne(t), newOrganization()
		o.add("k0")
		f.serve(o.release())
		backup, made, refused := o.clone(), 1, map[string]bool{}
		var story []string
		for range steps {
			step := []string{"add", "revoke", "prune", "release", "restart", "torn", "backup", "restore"}[random.IntN(8)]
			story = append(story, step)
			switch step {
			case "add":
				o.add(fmt.Sprint("k", made))
				made++
			case "revoke":
				if key, ok := draw(random, o.living); ok {
					o.revoke(key)
					f.revoke(o.set())
				}
			case "prune":
				for key := range o.revoked {
					o.pruned[key] = true
				}
			case "release":
				f.serve(o.release())
			case "restart", "torn":
				f.stop()
				if step == "torn" {
					f.torn([]string{"a", "b"}[random.IntN(2)])
				}
				f.start()
				if f.gate.now() == nil {
					f.serve(o.release())
				}
			case "backup":
				backup = o.clone()
			case "restore":
				epoch := o.epoch
				o = backup.clone()
				o.epoch, backup.epoch = epoch+1, epoch+1
				f.serve(o.release())
			}
			for n := range made {
				key := fmt.Sprint("k", n)
				standing := f.gate.standing(key)
				if refused[key] && standing == snapshot.Good {
					t.Fatalf("seed %d: %s is served after it was revoked: %v", seed, key, story)
				}
				refused[key] = refused[key] || standing == snapshot.Revoked
			}
		}
		f.stop()
	}
}

// draw returns one of a set.
func draw(random *rand.Rand, from map[string]bool) (string, bool) {
	keys := slices.Sorted(maps.Keys(from))
	if len(keys) == 0 {
		return "", false
	}
	return keys[random.IntN(len(keys))], true
}
