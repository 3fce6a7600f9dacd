package dataplane

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// What must arrive nowhere: secrets of the host that no origin may use, and the one of
// another origin.
const (
	forbiddenVariable = "sk-canary-of-a-variable-that-is-not-listed"
	forbiddenFile     = "sk-canary-of-a-file-that-is-not-listed"
	othersSecret      = "sk-canary-of-another-origin"
	listedSecret      = "sk-of-the-listed-origin"
)

// traps count every connection; nothing that an attacker names may reach one.
type traps struct {
	connections atomic.Int64
	port        string
	v6          bool
}

// setTraps listens on one port of all loopback addresses.
func setTraps(t *testing.T) *traps {
	t.Helper()
	tr := &traps{}
	listen := func(address string) bool {
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
		if err != nil {
			return false
		}
		t.Cleanup(func() { listener.Close() })
		_, tr.port, _ = net.SplitHostPort(listener.Addr().String())
		go func() {
			for {
				connection, err := listener.Accept()
				if err != nil {
					return
				}
				tr.connections.Add(1)
				connection.Close()
			}
		}()
		return true
	}
	if !listen("127.0.0.1:0") {
		t.Fatal("no trap")
	}
	tr.v6 = listen("[::1]:" + tr.port)
	return tr
}

// listed is the upstream that the agent may use; it keeps what it is sent.
type listed struct {
	*httptest.Server
	port string
	mu   sync.Mutex
	got  []*http.Request
}

func newListed(t *testing.T, elsewhere string) *listed {
	t.Helper()
	l := &listed{}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.got = append(l.got, r.Clone(t.Context()))
		l.mu.Unlock()
		if strings.HasPrefix(r.URL.Path, "/redirects") {
			http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
			return
		}
		_, _ = io.WriteString(w, `{"choices":[]}`)
	}))
	t.Cleanup(l.Close)
	_, l.port, _ = net.SplitHostPort(l.Listener.Addr().String())
	return l
}

// requests are what arrived since it was last asked.
func (l *listed) requests() []*http.Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	got := l.got
	l.got = nil
	return got
}

// enemy is a control plane that has every signing key, and the agent's surroundings.
type enemy struct {
	t      *testing.T
	traps  *traps
	listed *listed
	folder string // of listed files; its parent has one that is not
	allow  []string
}

func newEnemy(t *testing.T) *enemy {
	t.Helper()
	e := &enemy{t: t, traps: setTraps(t), folder: filepath.Join(t.TempDir(), "listed")}
	e.listed = newListed(t, "http://127.0.0.1:"+e.traps.port+"/stolen")
	for name, value := range map[string]string{"WEIR_SECRET_TEST": listedSecret, "WEIR_SECRET_OTHER": othersSecret, "FORBIDDEN": forbiddenVariable} {
		t.Setenv(name, value)
	}
	sibling := e.folder + "-not"
	for path, text := range map[string]string{
		e.folder + "/key": listedSecret, filepath.Dir(e.folder) + "/key": forbiddenFile, sibling + "/key": forbiddenFile,
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e.allow = []string{e.listed.URL + "=env://WEIR_SECRET_TEST,file://" + e.folder + "/", "https://other.example=env://WEIR_SECRET_OTHER"}
	return e
}

// attack starts an agent with a policy that the attacker signed, and sends a request to
// the attacker's provider. It returns what the caller got.
func (e *enemy) attack(t *testing.T, p *policyv1.Provider) (status int, body string) {
	t.Helper()
	p.Id, p.Name, p.Dialect = "p", "evil", policyv1.Dialect_DIALECT_OPENAI
	file, state := filepath.Join(t.TempDir(), "policy"), t.TempDir()
	key := policyFileOf(t, file, 0, p)
	agent := run(t, Config{Listen: "127.0.0.1:0", AdminListen: "127.0.0.1:0", ControlURL: "http://127.0.0.1:1", StateDir: state,
		KafkaBrokers: []string{"127.0.0.1:1"}, KafkaTopic: "usage", SpoolMaxBytes: 64 << 20, AllowUpstreams: e.allow,
		PolicyFile: file, PolicyKeys: []string{key}})
	status, body = agent.ask(t, "evil")
	e.nowhere(t, body, agent.log.String())
	if n := e.traps.connections.Swap(0); n > 0 {
		t.Errorf("%d connections to where nothing may go", n)
	}
	return status, body
}

// nowhere looks for the secrets in what callers, the log and the listed upstream got.
func (e *enemy) nowhere(t *testing.T, texts ...string) {
	t.Helper()
	e.listed.mu.Lock()
	for _, r := range e.listed.got {
		header, _ := json.Marshal(r.Header)
		texts = append(texts, string(header), r.URL.String())
	}
	e.listed.mu.Unlock()
	for _, secret := range []string{forbiddenVariable, forbiddenFile, othersSecret} {
		if strings.Contains(strings.Join(texts, "\n"), secret) {
			t.Errorf("%s leaked", secret)
		}
	}
}

// TestHostileBaseURLs: none of these leads where the agent's list does not.
func TestHostileBaseURLs(t *testing.T) {
	e := newEnemy(t)
	bases := []string{
		"http://127.0.0.1:TRAP/v1", "http://127.0.0.1:LISTED@127.0.0.1:TRAP/v1", "http://user:secret@127.0.0.1:TRAP/v1", "http://user@127.0.0.1:LISTED/v1",
		`http://127.0.0.1:LISTED\@127.0.0.1:TRAP/v1`, "http://127.0.0.1:LISTED#@127.0.0.1:TRAP/v1", "http://127.0.0.1:TRAP#127.0.0.1:LISTED",
		"http://127.0.0.1:TRAP?http://127.0.0.1:LISTED/v1", "http://127.0.0.1:TRAP/?@127.0.0.1:LISTED/v1", "http://127.0.0.1:LISTED%40127.0.0.1:TRAP/v1",
		"http://127.0.0.1%00:TRAP/v1", "http://127.0.0.1%2eLISTED:TRAP/v1", "http://127.0.0.1:LISTED, 127.0.0.1:TRAP/v1",
		"http://127.0.0.1.:TRAP/v1", "http://127.0.0.1.:LISTED/v1", "http://localhost:LISTED/v1", "http://localhost:TRAP/v1", "http://LOCALHOST.:TRAP/v1",
		"http://127.1:TRAP/v1", "http://2130706433:TRAP/v1", "http://0x7f000001:TRAP/v1", "http://0177.0.0.1:TRAP/v1", "http://017700000001:TRAP/v1",
		"http://127.0.0.01:LISTED/v1", "http://127.0.0.2:TRAP/v1", "http://0.0.0.0:TRAP/v1", "http://0:TRAP/v1", "http://:TRAP/v1", "http://[::]:TRAP/v1",
		"http://[::1]:TRAP/v1", "http://[::1%25lo]:TRAP/v1", "http://[0:0:0:0:0:0:0:1]:TRAP/v1", "http://[::ffff:127.0.0.1]:TRAP/v1", "http://[::ffff:7f00:1]:LISTED/v1",
		"http://[::127.0.0.1]:TRAP/v1", "http://127。0。0。1:TRAP/v1", "http://①②⑦.⓪.⓪.①:TRAP/v1", "http://127.0.0.1:TRAP", "http://ⓛocalhost:TRAP/v1",
		"http://127.0.0.1:0LISTED/v1", "http://127.0.0.1:+LISTED/v1", "http://127.0.0.1:/v1", "http://127.0.0.1/v1", "https://127.0.0.1:LISTED/v1", "https://127.0.0.1:TRAP/v1",
		"HTTP://127.0.0.1:TRAP/v1", "//127.0.0.1:TRAP/v1", "http:127.0.0.1:TRAP/v1", "http:///127.0.0.1:TRAP/v1", "http:/127.0.0.1:TRAP", "127.0.0.1:TRAP/v1",
		"ftp://127.0.0.1:TRAP/v1", "file:///etc/passwd", "unix:///run/docker.sock", "javascript:alert(1)", "", " http://127.0.0.1:TRAP/v1", "http://127.0.0.1:TRAP/v1\r\nHost: 127.0.0.1:LISTED",
		"http://169.254.169.254/latest", "http://[fd00:ec2::254]/latest", "http://metadata.google.internal/v1", "https://other.example.evil.example/v1",
	}
	for _, base := range bases {
		base = strings.NewReplacer("TRAP", e.traps.port, "LISTED", e.listed.port).Replace(base)
		t.Run(base, func(t *testing.T) {
			status, body := e.attack(t, &policyv1.Provider{BaseUrl: base, CredentialRef: "env://WEIR_SECRET_TEST"})
			if sent := e.listed.requests(); status == http.StatusOK || len(sent) > 0 {
				t.Errorf("%d %s; %d requests to what is listed", status, body, len(sent))
			}
		})
	}
	t.Logf("%d base URLs, traps on IPv6, too: %v", len(bases), e.traps.v6)

	t.Run("what_is_listed_is_reached", func(t *testing.T) { // else the test shows nothing
		for _, base := range []string{e.listed.URL, "HTTP://127.0.0.1:" + e.listed.port + "/a/../../b/%2e%2e/c"} {
			status, body := e.attack(t, &policyv1.Provider{BaseUrl: base, CredentialRef: "env://WEIR_SECRET_TEST"})
			if sent := e.listed.requests(); status != http.StatusOK || len(sent) != 1 || sent[0].Header.Get("Authorization") != "Bearer "+listedSecret {
				t.Errorf("%s: %d %s, %d requests", base, status, body, len(sent))
			}
		}
	})
	t.Run("redirects_are_not_followed", func(t *testing.T) {
		status, body := e.attack(t, &policyv1.Provider{BaseUrl: e.listed.URL + "/redirects", CredentialRef: "env://WEIR_SECRET_TEST"})
		if sent := e.listed.requests(); status != http.StatusBadGateway || len(sent) != 1 {
			t.Errorf("%d %s, %d requests", status, body, len(sent))
		}
	})
}

// TestHostileReferences: a listed origin gets the credentials that are listed for it.
func TestHostileReferences(t *testing.T) {
	e := newEnemy(t)
	parent := filepath.Dir(e.folder)
	for _, reference := range []string{
		"env://FORBIDDEN", "env://WEIR_SECRET_OTHER", "env://WEIR_SECRET_TEST/../FORBIDDEN", "env://weir_secret_test", "env://WEIR_SECRET_*", "env://*", "env://",
		"ENV://FORBIDDEN", "FORBIDDEN", "$FORBIDDEN", "file://" + parent + "/key", "file://" + e.folder + "/../key", "file://" + e.folder + "/./../key",
		"file://" + e.folder + "//../key", "file://" + e.folder + "/%2e%2e/key", "file://" + e.folder + "-not/key", "file://" + e.folder + "/key\x00/../../key",
		"file://" + e.folder, "file://" + e.folder + "/", "file://localhost" + e.folder + "/key", "FILE://" + e.folder + "/../key", "file:" + parent + "/key",
		parent + "/key", "file:///proc/self/environ", "file:///dev/stdin", "sealed", "https://other.example/key", "file://" + e.folder + "/*",
	} {
		t.Run(reference, func(t *testing.T) {
			status, body := e.attack(t, &policyv1.Provider{BaseUrl: e.listed.URL, CredentialRef: reference})
			if sent := e.listed.requests(); status == http.StatusOK || len(sent) > 0 {
				t.Errorf("%d %s; %d requests", status, body, len(sent))
			}
		})
	}
	t.Run("what_is_listed_is_used", func(t *testing.T) {
		status, body := e.attack(t, &policyv1.Provider{BaseUrl: e.listed.URL, CredentialRef: "file://" + e.folder + "/key"})
		if sent := e.listed.requests(); status != http.StatusOK || len(sent) != 1 || sent[0].Header.Get("Authorization") != "Bearer "+listedSecret {
			t.Errorf("%d %s", status, body)
		}
	})
}

// TestHostileHeaders: what names a credential is text there.
func TestHostileHeaders(t *testing.T) {
	e := newEnemy(t)
	values := []string{"env://FORBIDDEN", "${FORBIDDEN}", "$FORBIDDEN", "{{FORBIDDEN}}", "file://" + filepath.Dir(e.folder) + "/key", "%FORBIDDEN%"}
	p := &policyv1.Provider{BaseUrl: e.listed.URL, CredentialRef: "env://WEIR_SECRET_TEST"}
	for n, value := range values {
		p.Headers = append(p.Headers, &policyv1.Header{Name: fmt.Sprint("X-", n), Value: value})
	}
	status, body := e.attack(t, p)
	sent := e.listed.requests()
	if status != http.StatusOK || len(sent) != 1 {
		t.Fatalf("%d %s", status, body)
	}
	for n, value := range values {
		if got := sent[0].Header.Get(fmt.Sprint("X-", n)); got != value {
			t.Errorf("%q arrived as %q", value, got)
		}
	}
	for _, name := range []string{"Authorization", "authorization", "Host", "Connection", "X-Api-Key", "Proxy-Authorization", "X\r\nHost"} {
		p := &policyv1.Provider{BaseUrl: e.listed.URL, CredentialRef: "env://WEIR_SECRET_TEST", Headers: []*policyv1.Header{{Name: name, Value: "127.0.0.1:" + e.traps.port}}}
		if status, body := e.attack(t, p); status == http.StatusOK || len(e.listed.requests()) > 0 {
			t.Errorf("%q: %d %s", name, status, body)
		}
	}
}
