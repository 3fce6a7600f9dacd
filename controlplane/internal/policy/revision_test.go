package policy_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/pricebook"
)

// made is what each revision made of the examples, the built-in price book among it.
var made = map[int]string{
	1: "0d452f4a660b2b4fb2270452c1268e78afed000a534054a5c59875fcb9575ad0",
	2: "2e8eee258d680bafa1e956aa9cc3d1f3862a8e2baf6db68f0b0aa9f65e5ae065",
	3: "1d536a3fcfc90997929a879dcf0a7539e1a51c30999c9adc8f57779cd91ba6bc",
}

// What is compiled changes with the revision only: two builds that run at once tell by it
// which of them is the newer one.
func TestRevision(t *testing.T) {
	book, err := pricebook.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	for _, state := range []policy.State{example(), tuned(), sealed(), routed(), rotated(), shared()} {
		compiled, err := policy.CompileNext(nil, state, book)
		if err != nil {
			t.Fatal(err)
		}
		sum.Write(compiled.Root)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != made[policy.Revision] {
		t.Errorf("revision %d makes %s of the examples: if a released build made something else of them, raise policy.Revision, and add a line above", policy.Revision, got)
	}
}
