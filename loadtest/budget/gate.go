package budget

import (
	"bytes"
	"context"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// gate stands between the agents, and admins, and the control planes. What agents say about
// leases it loses, doubles and delays.
type gate struct {
	planes []*door
	pass   *httputil.ReverseProxy
	client *http.Client
	server *http.Server
	url    string
	late   sync.WaitGroup
	closed context.Context
	close  func()

	faulty atomic.Bool
	told   [fates]atomic.Int64
}

// fate of a call of the ledger.
type fate int

const (
	asItIs     fate = iota
	lost            // it was done, and nobody is told
	doubled         // it is done twice, beside itself
	again           // it is done once more up to 3 s later, after calls that came since
	overtaken       // it is done up to 3 s later: the agent has given it up and made others
	lateAnswer      // it is done, and the answer comes late
	fates
)

var fateNames = [fates]string{"as it is", "lost answers", "doubled", "repeated later", "overtaken", "late answers"}

const leasePath = "/weir.agent.v1.AgentService/Lease"

// listen opens it before the planes; they are told of its address.
func listen(ctx context.Context) (*gate, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
	g := &gate{url: "http://" + listener.Addr().String(), client: &http.Client{Transport: transport, Timeout: 30 * time.Second}}
	g.closed, g.close = context.WithCancel(context.WithoutCancel(ctx))
	g.pass = &httputil.ReverseProxy{
		FlushInterval: -1, Transport: transport, ErrorLog: log.New(io.Discard, "", 0), // planes are killed
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(g.plane())
			r.Out.Host = r.In.Host
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	g.server = &http.Server{Handler: g, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = g.server.Serve(listener) }() // until shut
	return g, nil
}

// shut waits for the calls that are late.
func (g *gate) shut() error {
	g.close()
	err := g.server.Close()
	g.late.Wait()
	return err
}

// door is a control plane, as a balancer knows it: one that is found dead gets nothing until
// it answers again.
type door struct {
	url  *url.URL
	down atomic.Bool
}

// plane is any of those that are up.
func (g *gate) plane() *url.URL {
	first := rand.IntN(len(g.planes))
	for i := range g.planes {
		if d := g.planes[(first+i)%len(g.planes)]; !d.down.Load() {
			return d.url
		}
	}
	return g.planes[first].url
}

func draw() fate {
	switch n := rand.IntN(100); {
	case n < 4:
		return lost
	case n < 9:
		return doubled
	case n < 14:
		return again
	case n < 16:
		return overtaken
	case n < 18:
		return lateAnswer
	}
	return asItIs
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, leasePath) || !g.faulty.Load() {
		g.pass.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	f := draw()
	g.told[f].Add(1)
	soon := func() time.Duration { return time.Duration(100+rand.IntN(2900)) * time.Millisecond }
	switch f {
	case lost:
		_, _ = g.ask(r.Header, r.URL.Path, body)
		hangUp(w)
		return
	case overtaken:
		g.afterwards(soon(), r, body)
		hangUp(w)
		return
	case doubled:
		g.afterwards(0, r, body)
	case again:
		g.afterwards(soon(), r, body)
	}
	answer, err := g.ask(r.Header, r.URL.Path, body)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	if f == lateAnswer && pause(r.Context(), soon()/2) != nil {
		return
	}
	for name, values := range answer.header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body)
}

// hangUp ends a connection without a word.
func hangUp(w http.ResponseWriter) {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
	}
}

// afterwards makes the call by itself: nobody waits for its answer.
func (g *gate) afterwards(d time.Duration, r *http.Request, body []byte) {
	header, path := r.Header.Clone(), r.URL.Path
	g.late.Go(func() {
		if d == 0 || pause(g.closed, d) == nil {
			_, _ = g.ask(header, path, body)
		}
	})
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

// ask makes one call to its end, whether or not whoever called still waits.
func (g *gate) ask(header http.Header, path string, body []byte) (*answer, error) {
	plane := *g.plane()
	plane.Path = path
	request, err := http.NewRequestWithContext(g.closed, http.MethodPost, plane.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header = header.Clone()
	request.Host = strings.TrimPrefix(g.url, "http://")
	response, err := g.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	return &answer{response.StatusCode, response.Header, all}, err
}
