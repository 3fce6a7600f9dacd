package sigv4_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/internal/sigv4"
	"github.com/weirhq/weir/dataplane/llmtest"
)

const (
	keyID  = "AKIDEXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	body   = `{"messages":[{"role":"user","content":[{"text":"how high"}]}]}`
)

func parse(t *testing.T, text string) *sigv4.Credentials {
	t.Helper()
	credentials, err := sigv4.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return credentials
}

// TestSignedRequestsAreTaken by the mock, which verifies them by its own code, over a real
// connection and for every kind of model id.
func TestSignedRequestsAreTaken(t *testing.T) {
	key := llmtest.AWSKey{AccessKeyID: keyID, SecretAccessKey: secret, SessionToken: "a+b/c==", Region: "eu-west-1"}
	server := httptest.NewServer(llmtest.New(llmtest.Options{AWS: key, APIKey: "ABSKkey"}))
	defer server.Close()
	static := `{"access_key_id":"` + keyID + `","secret_access_key":"` + secret + `","session_token":"a+b/c=="}`
	process := `{"Version":1,"AccessKeyId":"` + keyID + `","SecretAccessKey":"` + secret + `","SessionToken":"a+b/c==","Expiration":"2030-01-01T00:00:00Z"}` + "\n"
	for name, test := range map[string]struct {
		secret, region string
		change         func(*http.Request)
		status         int
	}{
		"static":       {static, "eu-west-1", nil, 200},
		"process":      {process, "eu-west-1", nil, 200},
		"api_key":      {"ABSKkey\n", "", nil, 200},
		"more_headers": {static, "eu-west-1", func(r *http.Request) { r.Header.Set("User-Agent", "weir"); r.Header.Set("X-Later", "b") }, 200},
		"other_region": {static, "us-east-1", nil, 403},
		"other_secret": {strings.Replace(static, secret, secret+"x", 1), "eu-west-1", nil, 403},
		"no_token":     {strings.Replace(static, "a+b/c==", "", 1), "eu-west-1", nil, 403},
		"other_key":    {"ABSKother", "", nil, 403},
		"other_path":   {static, "eu-west-1", func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/model/m/converse-stream", "" }, 403},
		"other_header": {static, "eu-west-1", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 403},
		"other_body":   {static, "eu-west-1", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(strings.Replace(body, "h", "H", 1))) }, 403},
	} {
		t.Run(name, func(t *testing.T) {
			for _, model := range []string{"m", "anthropic.claude-3-haiku-20240307-v1:0", "arn:aws:bedrock:eu-west-1:1:application-inference-profile/ab", "a b+c"} {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+path(model, "/converse"), strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				r.Header.Set("Content-Type", "application/json")
				if err := parse(t, test.secret).Authorize(r, sha256.Sum256([]byte(body)), test.region, time.Now()); err != nil {
					t.Fatal(err)
				}
				if test.change != nil {
					test.change(r)
				}
				response, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				text, _ := io.ReadAll(response.Body)
				_ = response.Body.Close()
				if response.StatusCode != test.status {
					t.Errorf("%s: %d %s", model, response.StatusCode, text)
				}
			}
		})
	}
}

func TestWhatCantBeSigned(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/", nil)
	expiring := parse(t, `{"AccessKeyId":"a","SecretAccessKey":"b","Expiration":"2030-01-01T00:00:00Z"}`)
	at := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := expiring.Authorize(r, [32]byte{}, "eu-west-1", at); !errors.Is(err, sigv4.ErrExpired) {
		t.Errorf("%v", err)
	}
	if err := expiring.Authorize(r, [32]byte{}, "eu-west-1", at.Add(-time.Second)); err != nil {
		t.Errorf("%v", err)
	}
	if err := expiring.Authorize(r, [32]byte{}, "", at.Add(-time.Second)); err == nil {
		t.Error("it is signed for no region")
	}
}

func TestParseTellsWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "empty",
		" \n":                            "empty",
		"AKIAIOSFODNN7S3CRET":            "without its secret",
		"s3cret with spaces":             "neither",
		`"s3cret"` + "\x00":              "neither",
		`{"access_key_id":"s3cret"`:      "not a JSON object",
		`{"access_key_id":{"s3cret":1}}`: "not a JSON object",
		`{"access_key_id":"s3cret"}`:     `no "secret_access_key"`,
		`{"secret_access_key":"s3cret"}`: `no "access_key_id"`,
		`{"AccessKeyId":"s3cret"}`:       `no "secret_access_key"`,
		`{}`:                             `no "access_key_id"`,
		`{"access_key_id":"a\n","secret_access_key":"s3cret"}`:               "characters",
		`{"Version":2,"AccessKeyId":"a","SecretAccessKey":"s3cret"}`:         "version 2",
		`{"AccessKeyId":"a","SecretAccessKey":"s3cret","access_key_id":"b"}`: "two forms",
		`{"AccessKeyId":"a","SecretAccessKey":"b","Expiration":"s3cret"}`:    `"Expiration"`,
	} {
		_, err := sigv4.Parse(text)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(strings.ToLower(err.Error()), "s3cret") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestCredentialsDontPrint however they are asked to.
func TestCredentialsDontPrint(t *testing.T) {
	for _, text := range []string{"ABSKs3cret", `{"access_key_id":"s3cret","secret_access_key":"s3cret","session_token":"s3cret"}`} {
		c := parse(t, text)
		encoded, _ := json.Marshal(map[string]any{"c": c, "value": *c})
		var logged strings.Builder
		slog.New(slog.NewTextHandler(&logged, nil)).Info("m", "c", c, "value", *c)
		for _, printed := range []string{fmt.Sprintf("%v %+v %#v %s %q %v %#v", c, c, c, c, c, *c, *c), string(encoded), logged.String()} {
			if strings.Contains(printed, "s3cret") {
				t.Error(printed)
			}
		}
	}
}

func TestRegion(t *testing.T) {
	for host, want := range map[string]string{
		"bedrock-runtime.us-east-1.amazonaws.com":                         "us-east-1",
		"Bedrock-Runtime-FIPS.us-gov-west-1.amazonaws.com":                "us-gov-west-1",
		"bedrock-runtime.cn-north-1.amazonaws.com.cn":                     "cn-north-1",
		"bedrock-runtime.eusc-de-east-1.amazonaws.eu":                     "eusc-de-east-1",
		"bedrock-runtime.eu-west-1.api.aws":                               "eu-west-1",
		"vpce-0a1b-abc.bedrock-runtime.ap-southeast-2.vpce.amazonaws.com": "ap-southeast-2",
		"bedrock-runtime.example.com":                                     "",
		"bedrock-runtime":                                                 "",
		"us-east-1.example.com":                                           "",
		"":                                                                "",
	} {
		if got := sigv4.Region(host); got != want {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}

func BenchmarkAuthorize(b *testing.B) {
	credentials, _ := sigv4.Parse(`{"access_key_id":"a","secret_access_key":"b","session_token":"c"}`)
	r := httptest.NewRequest(http.MethodPost, "https://bedrock-runtime.eu-west-1.amazonaws.com"+path("anthropic.claude-3-haiku-20240307-v1:0", "/converse-stream"), nil)
	r.Header.Set("Content-Type", "application/json")
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		if err := credentials.Authorize(r, [32]byte{1}, "eu-west-1", now); err != nil {
			b.Fatal(err)
		}
	}
}

// path is escaped as AWS's SDKs do, which leave no colon.
func path(model, operation string) string {
	return "/model/" + strings.ReplaceAll(url.PathEscape(model), ":", "%3A") + operation
}
