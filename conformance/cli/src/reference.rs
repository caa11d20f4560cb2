//! `adapter-reference`: this program as the reference agent's adapter.

use std::process::ExitCode;

/// Speaks the adapter protocol on standard input and output until `bye`.
pub(crate) fn serve() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let served = match runtime {
        Ok(runtime) => runtime.block_on(kith_adapter_reference::serve_strict()),
        Err(error) => Err(error.into()),
    };
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            anstream::eprintln!("kith-conform: {error}");
            ExitCode::FAILURE
        }
    }
}
