//! Images that come with a message: their bytes are kept, and the text names them by the address that Graph gives them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;

use crate::http::error::GraphError;
use crate::tenant::ids::id_of;
use crate::tenant::model::Upload;

/// An image as the request holds it.
pub struct Image {
    /// As the text names it: `../hostedContents/1/$value`.
    temporary: String,
    upload: Upload,
}

/// The images of a message, in its order. Whatever the request names must be there.
pub fn read(body: &Value) -> Result<Vec<Image>, GraphError> {
    let content = body["body"]["content"].as_str().unwrap_or_default();
    let mut images = Vec::new();
    for item in body["hostedContents"].as_array().map_or(&[][..], Vec::as_slice) {
        let temporary = item["@microsoft.graph.temporaryId"].as_str().unwrap_or_default().to_owned();
        let content_type = item["contentType"].as_str().unwrap_or_default().to_owned();
        let bytes = item["contentBytes"].as_str().and_then(|text| STANDARD.decode(text).ok());
        let (Some(bytes), true) = (bytes, content_type.starts_with("image/")) else {
            return Err(GraphError::bad_request(
                "Invalid hosted content: contentBytes and an image type are required.",
            ));
        };
        if !content.contains(&address(&temporary)) {
            return Err(GraphError::bad_request("The body does not refer to the hosted content."));
        }
        images.push(Image { temporary, upload: Upload { content_type, bytes: Bytes::from(bytes) } });
    }
    let named = content.matches("../hostedContents/").count();
    if named < images.len() || named > 0 && images.is_empty() {
        return Err(GraphError::bad_request("The body refers to hosted contents that the request does not have."));
    }
    Ok(images)
}

fn address(temporary: &str) -> String {
    format!("../hostedContents/{temporary}/$value")
}

/// The text with the addresses that the images have from now on, and the images with their ids. `message` is the address
/// of the message.
pub fn settle(content: &str, images: Vec<Image>, message: &str) -> (String, Vec<(String, Upload)>) {
    let mut content = content.to_owned();
    let mut uploads = Vec::new();
    for image in images {
        let id = STANDARD.encode(format!("id={},type=1", id_of(message, &image.temporary))).replace('=', "");
        content = content.replace(&address(&image.temporary), &format!("{message}/hostedContents/{id}/$value"));
        uploads.push((id, image.upload));
    }
    (content, uploads)
}
