package rpc

import (
	"time"

	"github.com/weirhq/weir/proto/gen/weir/admin/v1/adminv1connect"
)

// Stalling gives callers of reports so long to read.
func Stalling(handler adminv1connect.ReportServiceHandler, most time.Duration) adminv1connect.ReportServiceHandler {
	h := *handler.(*reports) //nolint:forcetypeassert // it is ours, or the test fails
	h.stall = most
	return &h
}
