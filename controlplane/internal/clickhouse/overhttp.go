package clickhouse

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
)

// overHTTP sends blocks as bodies of requests, in the format Native.
type overHTTP struct {
	options *clickhouse.Options
	client  *http.Client
}

func newHTTP(options *clickhouse.Options) *overHTTP {
	dialer := &net.Dialer{Timeout: options.DialTimeout}
	return &overHTTP{options, &http.Client{Transport: &http.Transport{
		DialContext: dialer.DialContext, TLSClientConfig: options.TLS, MaxIdleConnsPerHost: options.MaxIdleConns, DisableCompression: true,
	}}}
}

func (h *overHTTP) insert(ctx context.Context, table string, columns proto.Input, settings []ch.Setting) error {
	body := new(proto.Buffer)
	block := proto.Block{Columns: len(columns), Rows: columns[0].Data.Rows()}
	if err := block.EncodeRawBlock(body, 0, columns); err != nil {
		return err
	}
	statement := strings.TrimSuffix(columns.Into(table), "VALUES") + "FORMAT Native"
	query := url.Values{"query": {statement}, "database": {h.options.Auth.Database}}
	for _, s := range append(settingsOf(h.options.Settings), settings...) {
		query.Set(s.Key, s.Value)
	}
	var faults []error
	for _, address := range h.options.Addr {
		sent, err := h.post(ctx, address, query, body.Buf)
		if sent {
			return err
		}
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// post tells whether the server was asked: only else may another one be.
func (h *overHTTP) post(ctx context.Context, address string, query url.Values, body []byte) (sent bool, err error) {
	to := url.URL{Scheme: "http", Host: address, Path: cmp.Or(h.options.HttpUrlPath, "/"), RawQuery: query.Encode()}
	if h.options.TLS != nil {
		to.Scheme = "https"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return true, err
	}
	request.Header.Set("X-ClickHouse-User", h.options.Auth.Username)
	request.Header.Set("X-ClickHouse-Key", h.options.Auth.Password)
	response, err := h.client.Do(request)
	if dial := (*net.OpError)(nil); errors.As(err, &dial) && dial.Op == "dial" {
		return false, err
	}
	if err != nil {
		return true, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<10))
	return true, errors.Join(err, answerOf(response, string(text)))
}

func answerOf(response *http.Response, text string) error {
	code, err := strconv.Atoi(response.Header.Get("X-ClickHouse-Exception-Code"))
	switch {
	case err == nil:
		return &clickhouse.Exception{Code: int32(code), Message: strings.TrimSpace(text)}
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("clickhouse answers %s: %s", response.Status, strings.TrimSpace(text))
	}
	return nil
}

func (h *overHTTP) close() { h.client.CloseIdleConnections() }
