package seal_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/weirhq/weir/proto/contract/seal"
)

const canary = "sk-canary-credential"

var bound = seal.Binding{
	OrganizationID: "0198a5c2-7d3e-7f00-8a11-000000000001", GatewayID: "0198a5c2-7d3e-7f00-8a11-000000000002",
	ProviderID: "0198a5c2-7d3e-7f00-8a11-000000000003", Origin: "https://api.openai.com", Version: 3,
}

func private(t testing.TB, fill byte) seal.PrivateKey {
	t.Helper()
	key, err := seal.ParsePrivateKey(bytes.Repeat([]byte{fill}, seal.KeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sealed(t testing.TB, to seal.PublicKey, credential string) []byte {
	t.Helper()
	made, err := seal.Seal(to, bound, []byte(credential))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// What was sealed once opens for ever: v1.hex by this package, v1-webcrypto.hex by
// nothing but a browser's WebCrypto.
func TestGoldenVectors(t *testing.T) {
	key := private(t, 7)
	if got := hex.EncodeToString(key.Public().Bytes()); got != "13be4feaeaf204c7fd3358fc9c00721881d174278128227ec674f37f7fe97b6d" {
		t.Errorf("public key %s", got)
	}
	if got := key.Public().Fingerprint().String(); got != "0f6d 2553 ff0c 0f44 7ae2 02ed d843 83e1" {
		t.Errorf("fingerprint %s", got)
	}
	for _, file := range []string{"testdata/v1.hex", "testdata/v1-webcrypto.hex"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := hex.DecodeString(strings.TrimSpace(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		if opened, err := seal.Open(key, bound, stored); err != nil || string(opened) != canary {
			t.Errorf("%s: opened %q, %v", file, opened, err)
		}
	}
}

func TestOpen(t *testing.T) {
	key, other := private(t, 7), private(t, 8)
	t.Run("what_was_sealed", func(t *testing.T) {
		for _, length := range []int{1, 253, 254, 255, 511, seal.MaxCredential} {
			credential := strings.Repeat("k", length)
			opened, err := seal.Open(key, bound, sealed(t, key.Public(), credential))
			if err != nil || string(opened) != credential {
				t.Errorf("%d bytes: opened %d, %v", length, len(opened), err)
			}
		}
	})
	t.Run("another_key", func(t *testing.T) {
		_, err := seal.Open(other, bound, sealed(t, key.Public(), canary))
		if !errors.Is(err, seal.ErrOtherKey) || !strings.Contains(err.Error(), key.Public().Fingerprint().String()) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("another_key_under_this_ones_name", func(t *testing.T) {
		made, own := sealed(t, key.Public(), canary), other.Public().Fingerprint()
		copy(made[1:], own[:])
		if _, err := seal.Open(other, bound, made); !errors.Is(err, seal.ErrBinding) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("any_changed_byte", func(t *testing.T) {
		made := sealed(t, key.Public(), canary)
		for i := range made {
			changed := bytes.Clone(made)
			changed[i] ^= 0x41
			if _, err := seal.Open(key, bound, changed); err == nil {
				t.Fatalf("byte %d changed and nobody saw", i)
			}
		}
	})
	t.Run("any_truncation", func(t *testing.T) {
		made := sealed(t, key.Public(), canary)
		for i := range made {
			if _, err := seal.Open(key, bound, made[:i]); !errors.Is(err, seal.ErrFormat) {
				t.Fatalf("cut to %d bytes: %v", i, err)
			}
		}
	})
	t.Run("no_key", func(t *testing.T) {
		if _, err := seal.Open(seal.PrivateKey{}, bound, sealed(t, key.Public(), canary)); !errors.Is(err, seal.ErrOtherKey) {
			t.Errorf("error %v", err)
		}
	})
}

func TestOpenForSomethingElse(t *testing.T) {
	key := private(t, 7)
	made := sealed(t, key.Public(), canary)
	for name, change := range map[string]func(*seal.Binding){
		"organization": func(b *seal.Binding) { b.OrganizationID = "o" },
		"gateway":      func(b *seal.Binding) { b.GatewayID = "g" },
		"provider":     func(b *seal.Binding) { b.ProviderID = "p" },
		"origin":       func(b *seal.Binding) { b.Origin = "https://api.openai.com.evil.example" },
		"version":      func(b *seal.Binding) { b.Version++ },
		"boundaries": func(b *seal.Binding) {
			b.OrganizationID, b.GatewayID = b.OrganizationID+b.GatewayID[:1], b.GatewayID[1:]
		},
	} {
		t.Run(name, func(t *testing.T) {
			elsewhere := bound
			change(&elsewhere)
			if opened, err := seal.Open(key, elsewhere, made); !errors.Is(err, seal.ErrBinding) || opened != nil {
				t.Errorf("opened %q, %v", opened, err)
			}
		})
	}
}

func TestSeal(t *testing.T) {
	to := private(t, 7).Public()
	t.Run("never_the_same_bytes", func(t *testing.T) {
		if bytes.Equal(sealed(t, to, canary), sealed(t, to, canary)) {
			t.Error("sealed twice alike")
		}
	})
	t.Run("the_length_tells_little", func(t *testing.T) {
		if len(sealed(t, to, "k")) != len(sealed(t, to, strings.Repeat("k", 254))) {
			t.Error("1 and 254 bytes can be told apart")
		}
	})
	t.Run("it_says_for_whom", func(t *testing.T) {
		if got, err := seal.Recipient(sealed(t, to, canary)); err != nil || got != to.Fingerprint() {
			t.Errorf("%v, %v", got, err)
		}
	})
	t.Run("the_longest", func(t *testing.T) {
		if made := sealed(t, to, strings.Repeat("k", seal.MaxCredential)); len(made) != seal.MaxSealed {
			t.Errorf("%d bytes, MaxSealed is %d", len(made), seal.MaxSealed)
		}
	})
	for name, test := range map[string]struct {
		to         seal.PublicKey
		change     func(*seal.Binding)
		credential string
	}{
		"nothing":    {to, func(*seal.Binding) {}, ""},
		"too_much":   {to, func(*seal.Binding) {}, strings.Repeat("k", seal.MaxCredential+1)},
		"no_origin":  {to, func(b *seal.Binding) { b.Origin = "" }, canary},
		"version_0":  {to, func(b *seal.Binding) { b.Version = 0 }, canary},
		"for_no_key": {seal.PublicKey{}, func(*seal.Binding) {}, canary},
	} {
		t.Run(name, func(t *testing.T) {
			b := bound
			test.change(&b)
			if made, err := seal.Seal(test.to, b, []byte(test.credential)); err == nil {
				t.Errorf("sealed %x", made)
			}
		})
	}
}

func TestPublicKeysThatHideNothing(t *testing.T) {
	for name, text := range map[string]string{
		"zero":         "0000000000000000000000000000000000000000000000000000000000000000",
		"one":          "0100000000000000000000000000000000000000000000000000000000000000",
		"order_8":      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"p":            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"short":        "09",
		"a_byte_extra": "0900000000000000000000000000000000000000000000000000000000000000ff",
	} {
		raw, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := seal.ParsePublicKey(raw); !errors.Is(err, seal.ErrKey) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := seal.ParsePrivateKey(make([]byte, seal.KeyBytes)); !errors.Is(err, seal.ErrKey) {
		t.Errorf("private zeros: %v", err)
	}
}

func TestKeysSurviveTheirForms(t *testing.T) {
	key, err := seal.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := key.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	again, err := seal.ParsePrivateKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	public, err := seal.ParsePublicKey(key.Public().Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if opened, err := seal.Open(again, bound, sealed(t, public, canary)); err != nil || string(opened) != canary {
		t.Errorf("opened %q, %v", opened, err)
	}
	said := public.Fingerprint().String()
	for _, text := range []string{said, strings.ReplaceAll(said, " ", ""), strings.ToUpper(said) + "\n"} {
		if parsed, err := seal.ParseFingerprint(text); err != nil || parsed != public.Fingerprint() {
			t.Errorf("%q: %v, %v", text, parsed, err)
		}
	}
	for _, text := range []string{"", said[:20], said + " 00", "not hexadecimal digits at all"} {
		if _, err := seal.ParseFingerprint(text); err == nil {
			t.Errorf("%q is taken for a fingerprint", text)
		}
	}
}

func TestPrivateKeysNeverPrint(t *testing.T) {
	key := private(t, 'k')
	inside := struct{ Key seal.PrivateKey }{key}
	text, err := json.Marshal(inside)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "key", key, "inside", inside)
	printed := fmt.Sprintf("%v %+v %#v %s %q %x %v %+v %#v", key, key, key, key, key, key, inside, inside, &inside) + string(text) + log.String()
	for _, form := range []string{"kkkk", hex.EncodeToString([]byte("kkkk")), "107 107", "a2tr"} {
		if strings.Contains(printed, form) {
			t.Errorf("printed %s", printed)
		}
	}
}

func TestOrigin(t *testing.T) {
	for given, want := range map[string]string{
		"HTTPS://API.OpenAI.com:443/v1": "https://api.openai.com",
		"http://[::1]:80/v1":            "http://[::1]",
		"http://127.0.0.1:8093":         "http://127.0.0.1:8093",
		"https://h:80":                  "https://h:80",
		"ftp://h":                       "",
		"https://me@h":                  "",
		"https://h?x":                   "",
		"https:///v1":                   "",
	} {
		u, err := url.Parse(given)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := seal.Origin(u); got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", given, got, err)
		}
	}
}

func FuzzOpen(f *testing.F) {
	key := private(f, 7)
	good := sealed(f, key.Public(), canary)
	f.Add(good)
	f.Add(good[:len(good)-16])
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, given []byte) {
		opened, err := seal.Open(key, bound, given)
		if err == nil && string(opened) != canary {
			t.Fatalf("invented %q", opened)
		}
		if _, formed := seal.Recipient(given); err == nil && formed != nil {
			t.Fatalf("it opens and has no recipient: %v", formed)
		}
	})
}
