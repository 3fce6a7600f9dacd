export function Brand() {
  return (
    <span className="brand">
      <svg viewBox="0 0 32 32" aria-hidden="true">
        <rect width="32" height="32" rx="7" />
        <path d="M5 11c3 0 3 2.5 5.5 2.5S13 11 16 11s3 2.5 5.5 2.5S24 11 27 11M5 19v6M11 19v6M16 19v6M21 19v6M27 19v6" />
      </svg>
      Weir
    </span>
  );
}
