//! Delivery status notifications: RFC 3464 in a multipart/report (RFC 6522).

/// What a notification says.
pub(crate) struct Report<'a> {
    pub(crate) reporting_mta: &'a str,
    /// Who gets the notification.
    pub(crate) to: &'a str,
    /// Who did not get the mail.
    pub(crate) recipient: &'a str,
    /// The enhanced status code, `5.1.1`.
    pub(crate) status: &'a str,
    pub(crate) text: &'a str,
    /// RFC 5322 date.
    pub(crate) date: &'a str,
    /// For the Message-ID.
    pub(crate) id: u64,
}

impl Report<'_> {
    /// The notification about a mail, which it returns whole.
    pub(crate) fn build(&self, returned: &[u8]) -> Vec<u8> {
        let Self {
            reporting_mta,
            to,
            recipient,
            status,
            text,
            date,
            id,
        } = self;
        let reply_code = if status.starts_with('4') { 450 } else { 550 };
        let boundary = format!("=_dsn_{id:08x}");
        let head = format!(
            "From: Mail Delivery System <mailer-daemon@{reporting_mta}>\r\n\
             To: <{to}>\r\n\
             Date: {date}\r\n\
             Message-ID: <dsn.{id:08x}@{reporting_mta}>\r\n\
             Subject: Undelivered mail returned to sender\r\n\
             Auto-Submitted: auto-replied\r\n\
             MIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"{boundary}\"\r\n\
             \r\n\
             --{boundary}\r\n\
             Content-Type: text/plain; charset=us-ascii\r\n\
             \r\n\
             Your mail could not be delivered to <{recipient}>:\r\n\
             {status} {text}\r\n\
             \r\n\
             --{boundary}\r\n\
             Content-Type: message/delivery-status\r\n\
             \r\n\
             Reporting-MTA: dns; {reporting_mta}\r\n\
             Arrival-Date: {date}\r\n\
             \r\n\
             Final-Recipient: rfc822; {recipient}\r\n\
             Action: failed\r\n\
             Status: {status}\r\n\
             Diagnostic-Code: smtp; {reply_code} {status} {text}\r\n\
             \r\n\
             --{boundary}\r\n\
             Content-Type: message/rfc822\r\n\
             \r\n"
        );
        let mut out = head.into_bytes();
        out.extend_from_slice(returned);
        out.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        out
    }
}
