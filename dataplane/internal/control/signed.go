package control

import (
	"net/http"
	"strings"
)

// Signed returns a client whose calls this agent signs, once it is enrolled, for a server
// under another URL than the control plane's. It keeps that server's time.
func (c *Client) Signed(url string) *http.Client {
	return &http.Client{Transport: newTransport(c.config.Transport, strings.TrimRight(url, "/"), &c.identity)}
}
