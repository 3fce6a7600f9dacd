package secret

import (
	"bytes"
	"testing"
)

func fingerprinter(t *testing.T, key byte) Fingerprinter {
	t.Helper()
	f, err := NewFingerprinter(bytes.Repeat([]byte{key}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Equal is what is equal in all of key, provider and value, and nothing else.
func TestFingerprints(t *testing.T) {
	one, same, other := fingerprinter(t, 1), fingerprinter(t, 1), fingerprinter(t, 2)
	if a, b := one.Of("p", NewValue("v")), same.Of("p", NewValue("v")); a != b || len(a) != 32 || one.KeyID() != same.KeyID() || len(one.KeyID()) != 16 {
		t.Errorf("%q and %q of one value", a, b)
	}
	seen := map[string]string{}
	for name, fingerprint := range map[string]string{
		"itself": one.Of("p", NewValue("v")), "another value": one.Of("p", NewValue("w")), "another provider": one.Of("q", NewValue("v")),
		"another key": other.Of("p", NewValue("v")), "a value moved into the id": one.Of("pv", NewValue("")), "and back": one.Of("", NewValue("pv")),
		"its key": one.KeyID(), "the other key": other.KeyID(),
	} {
		if was := seen[fingerprint]; was != "" {
			t.Errorf("%s and %s are equal", name, was)
		}
		seen[fingerprint] = name
	}
	if got := (Fingerprinter{}).Of("p", NewValue("v")) + (Fingerprinter{}).KeyID() + one.Of("p", Value{}); got != "" {
		t.Errorf("out of nothing came %q", got)
	}
	if _, err := NewFingerprinter(make([]byte, 31)); err == nil {
		t.Error("a short key was accepted")
	}
}
