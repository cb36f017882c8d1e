// In function bodies, private modules, macros, twice by name, and with types that are less visible.
use mcp_core::prelude::*;

mod private {
    use mcp_core::prelude::*;

    #[schema]
    struct Hidden {
        id: u64,
    }

    #[allow(private_interfaces)]
    #[tool(cache(scope = "public"))]
    pub async fn find(Args(hidden): Args<Hidden>) -> Json<Hidden> {
        Json(hidden)
    }

    pub mod inner {
        use mcp_core::prelude::*;

        #[tool]
        pub(super) fn upper() {}

        #[tool]
        pub(in crate::private) fn within() {}
    }

    pub fn names() -> [&'static str; 3] {
        [find::def().name, inner::upper::def().name, inner::within::def().name]
    }
}

macro_rules! constant {
    ($name:ident, $value:expr, $type:ty) => {
        #[tool(cache(tags("x:{x}")))]
        fn $name(x: $type, y: Option<$type>, ctx: Dep<$type>) -> $type {
            let _ = (y, ctx);
            x + $value
        }
    };
}

constant!(one, 1, u32);
constant!(two, 2, u64);

fn main() {
    /// Only here.
    #[tool]
    fn nested(a: u8) -> u8 {
        a
    }

    assert_eq!(nested(1), 1);
    assert_eq!(nested::def().description, "Only here.");
    assert_eq!(private::names(), ["find", "upper", "within"]);
    assert_eq!(one(1, None, Dep::new(1)) + two::def().name.len() as u32, 5);
}
