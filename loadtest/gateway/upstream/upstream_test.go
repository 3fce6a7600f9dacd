package upstream

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// started is a mock and how it is asked.
func started(t *testing.T) (*Server, func(method, path, body string, change ...func(*http.Request)) (*http.Response, error)) {
	t.Helper()
	s, err := Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		s.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s, func(method, path, body string, change ...func(*http.Request)) (*http.Response, error) {
		request, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.Address()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+Key)
		for _, c := range change {
			c(request)
		}
		return client.Do(request)
	}
}

const chat = "/v1/chat/completions"

func TestAnswers(t *testing.T) {
	s, ask := started(t)
	long := strings.Repeat("water ", 50_000)
	for name, c := range map[string]struct {
		method, path, body string
		change             func(*http.Request)
		status             int
		want               string
	}{
		"whole":               {"POST", chat, `{"messages":[]}`, nil, 200, Whole()},
		"streamed":            {"POST", chat, `{"stream": true}`, nil, 200, Stream()},
		"not_streamed":        {"POST", chat, `{"stream":false}`, nil, 200, Whole()},
		"asked_for_at_first":  {"POST", chat, `{"stream":true,"messages":"` + long + `"}`, nil, 200, Stream()},
		"asked_for_at_last":   {"POST", chat, `{"messages":"` + long + `","stream" : true}`, nil, 200, Stream()},
		"long":                {"POST", chat, `{"messages":"` + long + `"}`, nil, 200, Whole()},
		"of_unknown_length":   {"POST", chat, `{"messages":"` + long + `"}`, func(r *http.Request) { r.ContentLength = -1 }, 200, Whole()},
		"without_a_body":      {"POST", chat, "", nil, 200, Whole()},
		"below_another_path":  {"POST", "/openai" + chat, "{}", nil, 200, Whole()},
		"to_another_key":      {"POST", chat, "{}", func(r *http.Request) { r.Header.Set("Authorization", "Bearer weir_x") }, 401, "want the key"},
		"to_no_key":           {"POST", chat, "{}", func(r *http.Request) { r.Header.Del("Authorization") }, 401, "want the key"},
		"of_models":           {"GET", "/v1/models", "", nil, 200, Model},
		"of_what_is_not":      {"POST", "/v1/embeddings", "{}", nil, 404, "no such path"},
		"that_was_waited_for": {"POST", chat, "{}", func(r *http.Request) { r.Header.Set("Expect", "100-continue") }, 200, Whole()},
	} {
		t.Run(name, func(t *testing.T) {
			change := c.change
			if change == nil {
				change = func(*http.Request) {}
			}
			before := s.Served()
			response, err := ask(c.method, c.path, c.body, change)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != c.status || !strings.Contains(string(body), c.want) {
				t.Errorf("%d %s, %v", response.StatusCode, body, err)
			}
			counted := int64(0)
			if strings.HasSuffix(c.path, chat) && c.status == 200 {
				counted = 1
			}
			if s.Served()-before != counted {
				t.Errorf("counted %d", s.Served()-before)
			}
		})
	}
}

func TestBurstsSayTheSame(t *testing.T) {
	s, ask := started(t)
	for _, burst := range []int{1, 3, 4, 100} {
		s.Set(Mode{Burst: burst})
		response, err := ask("POST", chat, `{"stream":true}`)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || string(body) != Stream() {
			t.Errorf("bursts of %d: %s, %v", burst, body, err)
		}
	}
}

func TestFaultsComeInTurn(t *testing.T) {
	_, ask := started(t)
	if response, err := ask("PUT", "/loadtest/mode", `{"fault_every":2}`); err != nil || response.StatusCode != 200 {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for range 12 {
		response, err := ask("POST", chat, "{}")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		switch {
		case err != nil:
			seen["cut"]++
		case response.StatusCode == 500:
			seen["status"]++
		case string(body) == Whole():
			seen["good"]++ // late, or at once
		}
	}
	if seen["cut"] != 2 || seen["status"] != 2 || seen["good"] != 8 {
		t.Errorf("%v", seen)
	}
}

func TestHeldStreamsEndWithTheMode(t *testing.T) {
	s, ask := started(t)
	s.Set(Mode{Hold: true, Every: time.Millisecond})
	response, err := ask("POST", chat, `{"stream":true}`)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	r := bufio.NewReader(response.Body)
	for range 4 * Events { // more than a stream has
		if _, err := r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	s.Set(Mode{})
	rest, err := io.ReadAll(r)
	if err != nil || !strings.HasSuffix(string(rest), "data: [DONE]\n\n") {
		t.Errorf("%s, %v", rest, err)
	}
}

// The broker says it has what it was sent, any number of times.
func TestBroker(t *testing.T) {
	b, err := NewBroker(0)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	client := &kafka.Client{Addr: kafka.TCP(b.ListenAddrs()...), Transport: &kafka.Transport{}}
	defer client.Transport.(*kafka.Transport).CloseIdleConnections()
	for range 3 {
		response, err := client.Produce(context.WithoutCancel(t.Context()), &kafka.ProduceRequest{
			Topic: Topic, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(kafka.Record{Value: kafka.NewBytes([]byte("batch"))}),
		})
		if err != nil || response.Error != nil {
			t.Fatal(err, response)
		}
	}
	if info := b.PartitionInfo(Topic, 0); info == nil || info.HighWatermark != 0 {
		t.Errorf("it kept something: %+v", info)
	}
}
