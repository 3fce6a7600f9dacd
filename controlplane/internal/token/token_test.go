package token_test

import (
	"strings"
	"testing"

	"github.com/weirhq/weir/controlplane/internal/token"
)

func TestNew(t *testing.T) {
	seen := map[string]bool{}
	for _, prefix := range []string{token.Key, token.ServiceAccount, token.Enrolment} {
		text, hash, suffix, err := token.New(prefix)
		if err != nil {
			t.Fatal(err)
		}
		if !token.Valid(text, prefix) || hash != token.Hash(text) || !strings.HasSuffix(text, suffix) || len(suffix) != 4 {
			t.Errorf("%q is not as it should be", prefix)
		}
		if seen[text] {
			t.Error("made twice")
		}
		seen[text] = true
	}
}

func TestValid(t *testing.T) {
	text, _, _, err := token.New(token.Key)
	if err != nil {
		t.Fatal(err)
	}
	if token.Valid(text, token.Enrolment) {
		t.Error("valid with another prefix")
	}
	for i := range text {
		broken := []byte(text)
		broken[i] ^= 1
		if token.Valid(string(broken), token.Key) {
			t.Errorf("valid with byte %d changed", i)
		}
	}
	for _, wrong := range []string{"", "weir_", text[:len(text)-1], text + "0", strings.Replace(text, "weir_", "weir_é", 1)} {
		if token.Valid(wrong, token.Key) {
			t.Errorf("%q is valid", wrong)
		}
	}
}

// The form is for ever: 32 zero bytes are 43 zeros and this checksum.
func TestForm(t *testing.T) {
	body := token.Key + strings.Repeat("0", 43)
	if !token.Valid(body+"08ntq0", token.Key) {
		t.Error("the checksum of the golden text has changed")
	}
}
