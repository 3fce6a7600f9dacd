package engine

import (
	"fmt"
	"io"
	"net"
	"time"
)

// innerHost is where the library listens, on the ports that clients know at 127.0.0.1.
const innerHost = "127.0.0.2"

// serveFront passes connections on to the library as soon as that listens; it returns when
// it can't listen itself. The library ends its process over a client that resets a
// connection: clickhouse-local treats an error of a listener as its own (ClickHouse issue
// 115666, mended in what comes after 26.8). Through here it sees nothing but ends.
func serveFront(port string) error {
	for {
		inner, err := dialInner(port)
		if err == nil {
			inner.Close()
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return err
	}
	defer listener.Close()
	for {
		client, err := listener.Accept()
		if err != nil {
			return fmt.Errorf("accept connections of clickhouse: %w", err)
		}
		go pass(client.(*net.TCPConn), port)
	}
}

func dialInner(port string) (*net.TCPConn, error) {
	conn, err := net.Dial("tcp", net.JoinHostPort(innerHost, port))
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

// pass copies both ways. An answer that the client takes no more is read all the same: to
// close over it would be a reset.
func pass(client *net.TCPConn, port string) {
	defer client.Close()
	inner, err := dialInner(port)
	if err != nil {
		return
	}
	defer inner.Close()
	go func() {
		_, _ = io.Copy(inner, client)
		_ = inner.CloseWrite()
	}()
	_, _ = io.Copy(client, inner)
	_ = client.CloseWrite()
	_, _ = io.Copy(io.Discard, inner)
}
