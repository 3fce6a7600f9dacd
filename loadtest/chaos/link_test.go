package chaos

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
)

// echo answers each line with itself, and tells what it was asked.
func echo(t *testing.T) (address string, asked <-chan string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	lines := make(chan string, 16)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for scan := bufio.NewScanner(conn); scan.Scan(); {
					lines <- scan.Text()
					_, _ = io.WriteString(conn, scan.Text()+"\n") // its caller may be gone
				}
			}()
		}
	}()
	return listener.Addr().String(), lines
}

type peer struct {
	t *testing.T
	net.Conn
	lines *bufio.Reader
}

func dial(t *testing.T, l *link) *peer {
	t.Helper()
	conn, err := net.Dial("tcp", l.address())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &peer{t, conn, bufio.NewReader(conn)}
}

func (p *peer) ask(line string, within time.Duration) (string, error) {
	p.t.Helper()
	if err := p.SetDeadline(time.Now().Add(within)); err != nil {
		p.t.Fatal(err)
	}
	if _, err := io.WriteString(p, line+"\n"); err != nil {
		return "", err
	}
	answer, err := p.lines.ReadString('\n')
	return strings.TrimSpace(answer), err
}

func TestLink(t *testing.T) {
	address, asked := echo(t)
	l, err := newLink(t.Context(), "test", address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	heard := func(want string) {
		t.Helper()
		select {
		case got := <-asked:
			if got != want {
				t.Fatalf("the server was asked %q, want %q", got, want)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("the server was not asked %q", want)
		}
	}
	one := dial(t, l)
	if got, err := one.ask("open", 5*time.Second); got != "open" {
		t.Fatalf("%q, %v", got, err)
	}
	heard("open")

	l.set(stalled)
	if _, err := one.ask("later", 100*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) || len(asked) > 0 {
		t.Fatalf("stalled: %v, and the server was asked %d times", err, len(asked))
	}
	l.set(open)
	heard("later")
	if got, err := one.ask("again", 5*time.Second); got != "later" {
		t.Fatalf("what was stalled is lost: %q, %v", got, err)
	}
	heard("again")

	l.set(muted)
	if _, err := one.ask("unheard", 100*time.Millisecond); err == nil {
		// the answer to "again" was on its way; the next one is not
		if got, err := one.ask("unheard", 100*time.Millisecond); err == nil {
			t.Fatalf("muted, and it answers %q", got)
		}
	}
	heard("unheard")
	l.set(open)
	if got, err := one.ask("gone", time.Second); err == nil {
		t.Fatalf("a connection whose answers were lost goes on with %q", got)
	}

	two := dial(t, l)
	if _, err := two.ask("two", 5*time.Second); err != nil {
		t.Fatal(err)
	}
	l.set(cutOff)
	if _, err := two.ask("cut", time.Second); err == nil {
		t.Fatal("cut off, and it answers")
	}
	if _, err := dial(t, l).ask("new", time.Second); err == nil {
		t.Fatal("cut off, and a new connection is answered")
	}
}

// A client that connects to where the broker says it is stays behind its link.
func TestKafkaLink(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(0), kfake.SeedTopics(1, usageTopic))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	l, err := newKafkaLink(t.Context(), "test", cluster.ListenAddrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(l.address()), Timeout: 5 * time.Second, Transport: transport}
	produce := func() error {
		_, err := client.Produce(t.Context(), &kafka.ProduceRequest{Topic: usageTopic, RequiredAcks: kafka.RequireAll,
			Records: kafka.NewRecordReader(kafka.Record{Value: kafka.NewBytes([]byte("usage"))})})
		return err
	}
	if err := produce(); err != nil {
		t.Fatal(err)
	}
	metadata, err := client.Metadata(t.Context(), &kafka.MetadataRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range metadata.Brokers {
		if b.Port != l.port {
			t.Errorf("the broker is said to be at port %d, its link is at %d", b.Port, l.port)
		}
	}
	l.set(cutOff)
	if err := produce(); err == nil {
		t.Error("the link is cut off, and the broker takes a record")
	}
}
