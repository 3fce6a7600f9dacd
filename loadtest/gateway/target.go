package gateway

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/weirhq/weir/loadtest/gateway/load"
	"github.com/weirhq/weir/loadtest/gateway/upstream"
)

// Names of the targets that are always there.
const (
	direct = "direct"
	bare   = "bare"
	weir   = "weir"
)

// chatPath is what all are asked at, below their URL.
const chatPath = "/v1/chat/completions"

// target is what requests go to.
type target struct {
	name    string
	address string // host:port
	path    string
	key     string
	model   string
	// pid of the process that listens there; 0: not known.
	pid int
	// private is the agent's private URL, for Weir; empty: not known.
	private string
	// again starts the process anew; nil: it is not ours.
	again func() error
}

// request asks the target in a shape.
func (t *target) request(s shape) load.Request {
	return load.NewRequest(t.address, t.path, t.key, t.body(s))
}

// body is as long as the shape says.
func (t *target) body(s shape) []byte {
	const sentence = "How much water passed the weir since the last rain? "
	stream := ""
	if s.streamed {
		stream = `,"stream":true,"stream_options":{"include_usage":true}`
	}
	head := fmt.Sprintf(`{"model":%q%s,"messages":[{"role":"user","content":"`, t.model, stream)
	const tail = `"}]}`
	prompt := strings.Repeat(sentence, s.kb<<10/len(sentence)+1)
	return []byte(head + prompt[:max(0, s.kb<<10-len(head)-len(tail))] + tail)
}

// peers are the targets of the command line.
func (c *Config) peers() ([]*target, error) {
	var all []*target
	var faults []error
	for _, text := range c.Target {
		t, err := parseTarget(text)
		if err != nil {
			faults = append(faults, fmt.Errorf("--target %s: %w", text, err))
			continue
		}
		for _, other := range all {
			if other.name == t.name {
				faults = append(faults, fmt.Errorf("--target %s: there is another one of that name", text))
			}
		}
		t.model = upstream.Model
		if t.name == weir {
			t.private = strings.TrimSuffix(c.WeirPrivate, "/")
		}
		all = append(all, t)
	}
	base := map[*target]string{}
	for _, t := range all {
		base[t], t.path = t.path, chatPath
	}
	set(all, c.Key, func(t *target, value string) { t.key = value })
	set(all, c.Model, func(t *target, value string) { t.model = value })
	set(all, c.Path, func(t *target, value string) { t.path = "/" + strings.TrimPrefix(value, "/") })
	for _, t := range all {
		t.path = base[t] + t.path
	}
	return all, errors.Join(faults...)
}

// set gives values to the target that each names, or to all.
func set(all []*target, values []string, give func(*target, string)) {
	for _, text := range values {
		name, value, named := strings.Cut(text, "=")
		found := false
		for _, t := range all {
			if named && t.name == name {
				found = true
				give(t, value)
			}
		}
		for _, t := range all {
			if !found {
				give(t, text)
			}
		}
	}
}

func parseTarget(text string) (*target, error) {
	name, address, ok := strings.Cut(text, "=")
	u, err := url.Parse(address)
	switch {
	case !ok || name == "":
		return nil, errors.New("want NAME=URL")
	case name == direct || name == bare:
		return nil, fmt.Errorf("%s is measured anyway: choose another name", name)
	case err != nil || u.Scheme != "http" || u.Port() == "":
		return nil, errors.New("want http://host:port, which is what can be measured without the cost of TLS")
	}
	host := u.Hostname()
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, errors.New("want an address on loopback: a network would be measured, too")
	}
	return &target{name: name, address: net.JoinHostPort(host, u.Port()), path: strings.TrimSuffix(u.Path, "/")}, nil
}
