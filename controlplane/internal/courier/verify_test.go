package courier

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// verify tells whether a message was signed with the channel's secret, "whsec_…", and not
// long ago: keep the webhook-id meanwhile, and take none twice.
func verify(secret string, header http.Header, body []byte, now time.Time) bool {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return false
	}
	sent, err := strconv.ParseInt(header.Get("webhook-timestamp"), 10, 64)
	if err != nil || now.Sub(time.Unix(sent, 0)).Abs() > 5*time.Minute {
		return false
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.%s", header.Get("webhook-id"), sent, body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for signature := range strings.FieldsSeq(header.Get("webhook-signature")) {
		if hmac.Equal([]byte(signature), []byte(want)) {
			return true
		}
	}
	return false
}

// docs/api.md shows the function above, with which the tests check what receivers get.
func TestVerify_is_documented(t *testing.T) {
	page, err := os.ReadFile("../../../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	own, err := os.ReadFile("verify_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(string(page), "```go\n// verify")
	shown, _, found := strings.Cut(shown, "```")
	if !found || !strings.Contains(string(own), "// verify"+shown) {
		t.Error("docs/api.md shows another one")
	}
}

// The message of the reference implementations, and what must not pass.
func TestVerify(t *testing.T) {
	const secret, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", `{"test": 2432232314}`
	at := time.Unix(1614265330, 0)
	header := func(change ...string) http.Header {
		h := http.Header{}
		h.Set("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
		h.Set("webhook-timestamp", "1614265330")
		h.Set("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
		if len(change) > 0 {
			h.Set(change[0], change[1])
		}
		return h
	}
	if !verify(secret, header(), []byte(body), at) || !verify(secret, header("webhook-signature", "v1,x "+header().Get("webhook-signature")), []byte(body), at.Add(time.Minute)) {
		t.Error("a message that is signed does not pass")
	}
	for what, passes := range map[string]bool{
		"another secret":    verify("whsec_AAAA9r8GKYqrTwjUPD8ILPZIo2LaLaSw", header(), []byte(body), at),
		"another body":      verify(secret, header(), []byte(body+" "), at),
		"another id":        verify(secret, header("webhook-id", "msg_x"), []byte(body), at),
		"another time":      verify(secret, header("webhook-timestamp", "1614265331"), []byte(body), at),
		"no time":           verify(secret, header("webhook-timestamp", ""), []byte(body), at),
		"an old message":    verify(secret, header(), []byte(body), at.Add(6*time.Minute)),
		"another signature": verify(secret, header("webhook-signature", "v1,AAAA9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="), []byte(body), at),
		"no signature":      verify(secret, header("webhook-signature", ""), []byte(body), at),
	} {
		if passes {
			t.Errorf("%s passes", what)
		}
	}
}
