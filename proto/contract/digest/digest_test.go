package digest_test

import (
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/weirhq/weir/proto/contract/digest"
)

func TestRoot(t *testing.T) {
	resources := []digest.Resource{
		digest.Of("provider", "p1", []byte("one")),
		digest.Of("key", "k1", []byte("two")),
		digest.Of("key", "k2", nil),
	}
	t.Run("golden_vectors", func(t *testing.T) {
		for _, c := range []struct {
			name      string
			resources []digest.Resource
			want      string
		}{
			{"empty", nil, "3bc862ecb0c6e48e04c6600bcba2949b8cc05b265207ba219f596bef9e4e5a3a"},
			{"three", resources, "15c831da37cb6bd8284283acae65cecba8e04fdd035ab9ee500776c9f6223195"},
		} {
			root := digest.Root(c.resources)
			if got := hex.EncodeToString(root[:]); got != c.want {
				t.Errorf("%s: root %s, want %s", c.name, got, c.want)
			}
		}
	})
	t.Run("order_does_not_matter", func(t *testing.T) {
		want := digest.Root(resources)
		shuffled := append([]digest.Resource(nil), resources...)
		for range 20 {
			rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			if digest.Root(shuffled) != want {
				t.Fatal("another order gave another root")
			}
		}
	})
	t.Run("boundaries_between_kind_and_id_count", func(t *testing.T) {
		a := digest.Root([]digest.Resource{digest.Of("ke", "yk1", nil)})
		b := digest.Root([]digest.Resource{digest.Of("key", "k1", nil)})
		if a == b {
			t.Error("(ke, yk1) and (key, k1) have the same root")
		}
	})
}

func TestMessages(t *testing.T) {
	t.Run("a_release_signature_is_no_revocations_signature", func(t *testing.T) {
		body := []byte("same bytes")
		if string(digest.ReleaseMessage(body)) == string(digest.RevocationsMessage(body)) {
			t.Error("both messages are the same")
		}
	})
}
