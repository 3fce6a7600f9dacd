package command

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"testing"

	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// A stored fingerprint tells secrets apart and lets nobody without the key try them.
func TestFingerprintOfSecrets(t *testing.T) {
	print := func(secret, key string) [sha256.Size]byte {
		t.Helper()
		request := &adminv1.SetAlertChannelSecretRequest{Id: "a", Secret: secret}
		got, err := fingerprint(Call{Procedure: "p", Request: request}, []byte(key))
		if err != nil || request.Secret != secret {
			t.Fatal(request.Secret, err)
		}
		return got
	}
	if again := print("one", "k"); print("one", "k") != again {
		t.Error("the same request has two fingerprints")
	}
	if print("one", "k") == print("other", "k") {
		t.Error("another secret has the same fingerprint")
	}
	if print("one", "k") == print("one", "other") {
		t.Error("the fingerprint can be made without the key")
	}
	plain, err := fingerprint(Call{Procedure: "p", Request: &adminv1.RevokeKeyRequest{Id: "a"}}, nil)
	if want := sha256.Sum256(append([]byte("p\x00\x00"), 0x0a, 1, 'a')); err != nil || !bytes.Equal(plain[:], want[:]) {
		t.Errorf("requests without secrets have other fingerprints than before: %v", err)
	}
	if _, err := fingerprint(Call{Request: &adminv1.SetAlertChannelSecretRequest{Secret: "x"}}, nil); !errors.Is(err, errNoSecretKey) {
		t.Errorf("without a key: %v", err)
	}
}
